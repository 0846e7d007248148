/* IMPORTANT
 * This snapshot file is auto-generated, but designed for humans.
 * It should be checked into source control and tracked carefully.
 * Re-generate by setting TAP_SNAPSHOT=1 and running tests.
 * Make sure to inspect the output below.  Do not ignore changes!
 */
'use strict'
exports[`test/service-files.ts > TAP > backup timer > a usual installation > is what it was > darwin 1`] = `
/home/me/Library/LaunchAgents/maestrovault.backup.plist

<?xml version="1.0" encoding="UTF-8"?>
<!-- Written by mav service backup, which overwrites it. Remove it with mav service backup and the option off -->
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
	<dict>
		<key>Label</key>
		<string>maestrovault.backup</string>
		<key>ProgramArguments</key>
		<array>
			<string>/home/me/node</string>
			<string>/home/me/bin.js</string>
			<string>backup</string>
			<string>--keep</string>
			<string>30</string>
			<string>--no-input</string>
			<string>/mnt/b</string>
		</array>
		<key>EnvironmentVariables</key>
		<dict>
			<key>MAV_HOME</key>
			<string>/home/me/vault</string>
		</dict>
		<key>StartCalendarInterval</key>
		<dict>
			<key>Hour</key>
			<integer>12</integer>
			<key>Minute</key>
			<integer>0</integer>
		</dict>
		<key>SoftResourceLimits</key>
		<dict>
			<key>Core</key>
			<integer>0</integer>
		</dict>
		<key>HardResourceLimits</key>
		<dict>
			<key>Core</key>
			<integer>0</integer>
		</dict>
		<key>Umask</key>
		<integer>63</integer>
		<key>StandardErrorPath</key>
		<string>/home/me/Library/Logs/maestrovault.backup.log</string>
	</dict>
</plist>
`

exports[`test/service-files.ts > TAP > backup timer > a usual installation > is what it was > linux 1`] = `
/home/me/.config/systemd/user/maestrovault-backup.timer

# Written by mav service backup, which overwrites it. Remove it with: mav service backup --off
[Unit]
Description=Daily backup of a MaestroVault vault

[Timer]
OnCalendar=*-*-* 12:00
Persistent=yes
RandomizedDelaySec=15min

[Install]
WantedBy=timers.target

/home/me/.config/systemd/user/maestrovault-backup.service

# Written by mav service backup, which overwrites it. Remove it with: mav service backup --off
[Unit]
Description=Backup of a MaestroVault vault

[Service]
Type=oneshot
ExecStart=":/home/me/node" "/home/me/bin.js" "backup" "--keep" "30" "--no-input" "/mnt/b"
Environment="MAV_HOME=/home/me/vault"
UnsetEnvironment=NODE_OPTIONS NODE_V8_COVERAGE LD_PRELOAD LD_AUDIT LD_LIBRARY_PATH OPENSSL_CONF
Nice=10
LimitCORE=0
NoNewPrivileges=yes
RestrictAddressFamilies=AF_UNIX
MemorySwapMax=0

`

exports[`test/service-files.ts > TAP > service files > a usual installation > are what they were > launchd 1`] = `
/Users/me/Library/LaunchAgents/maestrovault.serve.plist

<?xml version="1.0" encoding="UTF-8"?>
<!-- Written by mav service install, which overwrites it. Remove it with: mav service uninstall -->
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
	<dict>
		<key>Label</key>
		<string>maestrovault.serve</string>
		<key>ProgramArguments</key>
		<array>
			<string>/Users/me/node</string>
			<string>/Users/me/bin.js</string>
			<string>serve</string>
		</array>
		<key>EnvironmentVariables</key>
		<dict>
			<key>MAV_HOME</key>
			<string>/Users/me/vault</string>
		</dict>
		<key>RunAtLoad</key>
		<true/>
		<key>KeepAlive</key>
		<true/>
		<key>SoftResourceLimits</key>
		<dict>
			<key>Core</key>
			<integer>0</integer>
		</dict>
		<key>HardResourceLimits</key>
		<dict>
			<key>Core</key>
			<integer>0</integer>
		</dict>
		<key>Umask</key>
		<integer>63</integer>
		<key>StandardErrorPath</key>
		<string>/Users/me/Library/Logs/maestrovault.log</string>
	</dict>
</plist>
`

exports[`test/service-files.ts > TAP > service files > a usual installation > are what they were > systemd 1`] = `
/home/me/.config/systemd/user/maestrovault.socket

# Written by mav service install, which overwrites it. Remove it with: mav service uninstall
[Unit]
Description=Socket of the MaestroVault daemon

[Socket]
ListenStream=/home/me/vault/maestrovault.sock
SocketMode=0600
DirectoryMode=0700
RemoveOnStop=yes

[Install]
WantedBy=sockets.target

/home/me/.config/systemd/user/maestrovault.service

# Written by mav service install, which overwrites it. Remove it with: mav service uninstall
[Unit]
Description=MaestroVault daemon
Requires=maestrovault.socket
StartLimitIntervalSec=60
StartLimitBurst=5

[Service]
Type=notify
NotifyAccess=all
ExecStart=":/home/me/node" "/home/me/bin.js" "serve"
Environment="MAV_HOME=/home/me/vault"
UnsetEnvironment=NODE_OPTIONS NODE_V8_COVERAGE LD_PRELOAD LD_AUDIT LD_LIBRARY_PATH OPENSSL_CONF
Restart=on-failure
RestartSec=1
LimitCORE=0
NoNewPrivileges=yes
RestrictAddressFamilies=AF_UNIX
MemorySwapMax=0

[Install]
WantedBy=default.target
Also=maestrovault.socket

`
