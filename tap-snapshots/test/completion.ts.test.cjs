/* IMPORTANT
 * This snapshot file is auto-generated, but designed for humans.
 * It should be checked into source control and tracked carefully.
 * Re-generate by setting TAP_SNAPSHOT=1 and running tests.
 * Make sure to inspect the output below.  Do not ignore changes!
 */
'use strict'
exports[`test/completion.ts > TAP > bash > a line and a Tab > what it offers > must match snapshot 1`] = `
mav tok
    token
mav token 
    create
    list
    ls
    show
    rotate
    revoke
mav get 
    \\$\\(touch\\ pwned\\)
    a:b
    back\\\\slash
    dq\\"x
    it\\'s
    my\\ secret
    plain
    \\~home
    ключ
mav get my
    my\\ secret
mav get "my
    my secret
mav get 'it
    it'\\''s
mav get a:
    b
mav get --env=p
    prod
mav get my\\ secret --field u
    user\\ name
mav get "my secret" --field 
    host
    user\\ name
mav help tok
    token
`

exports[`test/completion.ts > TAP > completion > each shell > its script, and help does not show what it calls > bash 1`] = `
# Completion of mav for bash.
_mav() {
    local candidate files=
    COMPREPLY=()
    while IFS= read -r candidate; do
        if [[ $candidate == $'\\t'* ]]; then files=1; else COMPREPLY+=("$candidate"); fi
    done < <(command mav __complete bash "\${COMP_LINE:0:COMP_POINT}" "$COMP_WORDBREAKS" 2>/dev/null)
    # Without candidates readline completes names of files; it must not where those make no sense.
    [[ -n $files ]] || compopt +o default 2>/dev/null
}
complete -o default -F _mav mav

`

exports[`test/completion.ts > TAP > completion > each shell > its script, and help does not show what it calls > fish 1`] = `
# Completion of mav for fish.
function __mav_complete
    # The first way is that of fish 4.
    set -l words (commandline -xpc 2>/dev/null; or commandline -opc)
    set -l current (commandline -ct)
    for line in (command mav __complete fish $words[2..] "$current" 2>/dev/null)
        if string match -q \\t'*' -- $line
            __fish_complete_path "$current"
        else
            printf '%s\\n' $line
        end
    end
end
complete -c mav -f -a '(__mav_complete)'

`

exports[`test/completion.ts > TAP > completion > each shell > its script, and help does not show what it calls > powershell 1`] = `
# Completion of mav for PowerShell.
Register-ArgumentCompleter -Native -CommandName mav -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $words = @($commandAst.CommandElements | Select-Object -Skip 1 |
        Where-Object { $_.Extent.EndOffset -lt $cursorPosition } |
        ForEach-Object { if ($null -ne $_.Value) { "$($_.Value)" } else { $_.Extent.Text } })
    $current = "$wordToComplete".Trim("'", '"')
    mav __complete powershell @words ".$current" 2>$null | ForEach-Object {
        $value, $description = $_ -split [char]9, 2
        if ($value -ne '') {
            $tip = if ($description) { $description } else { $value }
            [System.Management.Automation.CompletionResult]::new($value, $value, 'ParameterValue', $tip)
        }
    }
}

`

exports[`test/completion.ts > TAP > completion > each shell > its script, and help does not show what it calls > zsh 1`] = `
#compdef mav
# Completion of mav for zsh.
_mav() {
    local line files=
    local -a values displays
    while IFS= read -r line; do
        if [[ $line == $'\\t'* ]]; then files=1; continue; fi
        values+=("\${line%%$'\\t'*}")
        displays+=("\${line/$'\\t'/  -- }")
    done < <(command mav __complete zsh "\${(@Q)words[2,CURRENT-1]}" "\${(Q)PREFIX}" 2>/dev/null)
    (( $#values )) && compadd -l -d displays -a values
    [[ -n $files ]] && { compset -P 1 '--*='; _files }
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _mav "$@"; else compdef _mav mav; fi

`

exports[`test/completion.ts > TAP > fish > a line and a Tab > what it offers > must match snapshot 1`] = `
mav ge
    gen	Print a new random password or passphrase, and store it if a name is given
    generate	Print a new random password or passphrase, and store it if a name is given
    get	Print the value of a secret and nothing else
mav token 
    create	Create a token for a client of the API, and show it once
    list	List tokens
    ls	List tokens
    revoke	Revoke tokens, or all of them
    rotate	Replace a token by a new one with the same limits, and show it once
    show	Show what a token may do; without an ID, the one that asks
mav get 
    $(touch pwned)
    a:b
    back\\slash
    dq"x
    it's
    my secret
    plain	prod
    ~home
    ключ
mav get my
    my secret
mav get --env 
    prod
mav get --env=p
    --env=prod
mav get "my secret" --field 
    host
    user name
mav get my\\ secret --field u
    user name
mav set x --from-file /etc/pass
    /etc/passwd
    /etc/passwd-
`
