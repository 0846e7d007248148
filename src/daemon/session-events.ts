/**
 * Hears when the machine is about to be suspended and when the screen is locked: from logind on the system's bus, and from the
 * desktop's screen saver on the session's bus.
 */
import type { Config } from '../places/config.ts';
import { BusConnection, BusError } from './bus/connection.ts';
import type { Message } from './bus/message.ts';
import type { Report } from './vault-state.ts';

export type SealingEvent = NonNullable<Config['seal_on']>[number];
/** What was heard. */
export type SessionEvent = SealingEvent | 'unlock';

const SYSTEM_BUS = 'unix:path=/run/dbus/system_bus_socket';
/** org.freedesktop.login1(5). */
const LOGIND = 'org.freedesktop.login1';
const LOGIND_RULES = {
  suspend: `type='signal',sender='${LOGIND}',interface='${LOGIND}.Manager',member='PrepareForSleep'`,
  lock: `type='signal',sender='${LOGIND}',interface='${LOGIND}.Session'`,
} as const;
/** GNOME, KDE and others: org.freedesktop.ScreenSaver, org.gnome.ScreenSaver … */
const SCREEN_SAVER_RULE = "type='signal',member='ActiveChanged'";
const SCREEN_SAVER = /^org\.[a-z]+\.ScreenSaver$/;

interface Listener {
  readonly wanted: readonly SealingEvent[];
  readonly tell: (event: SessionEvent) => void;
  readonly report: Report;
}

export class SessionEvents {
  readonly #listener: Listener;
  readonly #connections: BusConnection[] = [];

  private constructor(listener: Listener) {
    this.#listener = listener;
  }

  /**
   * Connects to both buses, if they are needed. Resolves when everything is heard that can be, or after some seconds. A bus that is
   * not there, or does not answer, is reported.
   */
  static async connect(env: NodeJS.ProcessEnv, listener: Listener): Promise<SessionEvents> {
    const events = new SessionEvents(listener);
    const isWanted = (event: SealingEvent) => listener.wanted.includes(event);
    const [system, session] = await Promise.all([
      BusConnection.open(env.DBUS_SYSTEM_BUS_ADDRESS || SYSTEM_BUS),
      isWanted('lock') ? BusConnection.open(env.DBUS_SESSION_BUS_ADDRESS ?? '') : null,
    ]);
    if (system === null) events.#reportDeaf("the system's bus cannot be reached");
    const hearLogind = (signal: Message) => events.#hearLogind(system as BusConnection, signal);
    const hearScreenSaver = (signal: Message) => events.#hearScreenSaver(signal);
    await Promise.all([
      events.#listen(system, hearLogind, async (bus) => {
        for (const event of listener.wanted) await bus.callBus('AddMatch', LOGIND_RULES[event]);
      }),
      // Whoever may send to the session's bus may have programs started, so this connection gives that up.
      events.#listen(session, hearScreenSaver, (bus) => bus.becomeMonitor([SCREEN_SAVER_RULE])),
    ]);
    return events;
  }

  close(): void {
    for (const connection of this.#connections) connection.close();
  }

  async #listen(
    connection: BusConnection | null,
    hear: (signal: Message) => void,
    subscribe: (bus: BusConnection) => Promise<void>,
  ): Promise<void> {
    if (connection === null) return;
    this.#connections.push(connection);
    connection.onEnd = () => this.#reportDeaf('a message bus is gone');
    connection.onSignal = hear;
    try {
      await connection.begin();
      await subscribe(connection);
    } catch (error) {
      this.#reportDeaf(error instanceof BusError ? error.message : 'a message bus cannot be understood');
    }
  }

  #hearLogind(bus: BusConnection, signal: Message): void {
    const event = readLogind(signal);
    if (event !== null) void this.#judgeLogind(bus, signal, event);
  }

  async #judgeLogind(bus: BusConnection, signal: Message, event: SessionEvent): Promise<void> {
    if (!(await isOfLogind(bus, signal))) return;
    // If logind does not say whose session it is, it is sealed and not unsealed.
    if (event === 'suspend' || ((await isOfOurUser(bus, signal.path)) ?? event === 'lock'))
      this.#listener.tell(event);
  }

  #hearScreenSaver({ interface: name, member, signature, body }: Message): void {
    if (member !== 'ActiveChanged' || !SCREEN_SAVER.test(name) || signature !== 'b') return;
    this.#listener.tell(body.boolean() ? 'lock' : 'unlock');
  }

  #reportDeaf(why: string): void {
    const { report, wanted } = this.#listener;
    report('warning', `${why}; the vault is not sealed by: ${wanted.join(', ')}`);
  }
}

/** Returns what a signal of logind says; null if it is none of ours. */
function readLogind({ interface: name, member, signature, body }: Message): SessionEvent | null {
  if (name === `${LOGIND}.Manager` && member === 'PrepareForSleep' && signature === 'b')
    // false: the machine has woken up.
    return body.boolean() ? 'suspend' : null;
  if (name !== `${LOGIND}.Session`) return null;
  return member === 'Lock' ? 'lock' : member === 'Unlock' ? 'unlock' : null;
}

/** Any user of the system's bus may send a signal to this connection alone, whatever its rules are. */
async function isOfLogind(bus: BusConnection, { sender }: Message): Promise<boolean> {
  try {
    return (await bus.callBus('GetNameOwner', LOGIND)).body.text() === sender;
  } catch {
    return false;
  }
}

/** Whether the session is this user's; null if logind does not say. */
async function isOfOurUser(bus: BusConnection, path: string): Promise<boolean | null> {
  try {
    const { body } = await bus.call({
      destination: LOGIND,
      path,
      interface: 'org.freedesktop.DBus.Properties',
      member: 'Get',
      arguments: { texts: [`${LOGIND}.Session`, 'User'] },
    });
    // A variant of a structure: the user's number, and the user's path.
    if (body.signature() !== '(uo)') return null;
    body.align(8);
    return body.word() === process.geteuid?.();
  } catch {
    return null;
  }
}
