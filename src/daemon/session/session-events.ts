/**
 * Hears when the machine is about to be suspended and when the screen is locked: from logind on the system's bus, and from the
 * desktop's screen saver on the session's bus.
 */
import type { Config } from '../../places/config.ts';
import type { BusConnection } from '../bus/connection.ts';
import { BusError } from '../bus/connection.ts';
import type { Message } from '../bus/message.ts';
import { listen } from './bus-listener.ts';

export type SealingEvent = NonNullable<Config['seal_on']>[number];
/** What was heard. */
export type SessionEvent = SealingEvent | 'wake' | 'unlock';

const SYSTEM_BUS = 'unix:path=/run/dbus/system_bus_socket';
/** org.freedesktop.login1(5). */
const LOGIND = 'org.freedesktop.login1';
const SESSION = `${LOGIND}.Session`;
const PROPERTIES = 'org.freedesktop.DBus.Properties';
const FROM_LOGIND = `type='signal',sender='${LOGIND}'`;
const LOGIND_RULES: Readonly<Record<SealingEvent, readonly string[]>> = {
  suspend: [`${FROM_LOGIND},interface='${LOGIND}.Manager',member='PrepareForSleep'`],
  lock: [
    `${FROM_LOGIND},interface='${SESSION}'`,
    `${FROM_LOGIND},interface='${PROPERTIES}',member='PropertiesChanged',arg0='${SESSION}'`,
  ],
};
/** GNOME, KDE and others: org.freedesktop.ScreenSaver, org.gnome.ScreenSaver … */
const SCREEN_SAVER_RULE = "type='signal',member='ActiveChanged'";
const SCREEN_SAVER = /^org\.[a-z]+\.ScreenSaver$/;

export interface SessionListener {
  readonly wanted: readonly SealingEvent[];
  readonly hear: (event: SessionEvent) => void;
  /** Called when what is heard from one of the buses changes: why it is not; null: it is. */
  readonly tell: (source: 'logind' | 'screen saver', why: string | null) => void;
}

export class SessionEvents {
  readonly #listener: SessionListener;
  /** Whether the screen of a session is locked, as logind said last; by the session's path. */
  readonly #hints = new Map<string, boolean>();
  /** What sessions say is judged one after the other, because logind is asked about each. */
  #judging: Promise<void> = Promise.resolve();

  private constructor(listener: SessionListener) {
    this.#listener = listener;
  }

  /** Listens until the process ends. Resolves when everything is heard that can be, or after some seconds. */
  static async listen(env: NodeJS.ProcessEnv, listener: SessionListener): Promise<void> {
    const events = new SessionEvents(listener);
    const session = env.DBUS_SESSION_BUS_ADDRESS;
    await Promise.all([
      events.#listenToLogind(env.DBUS_SYSTEM_BUS_ADDRESS || SYSTEM_BUS),
      listener.wanted.includes('lock') && session ? events.#listenToScreenSaver(session) : null,
    ]);
  }

  #listenToLogind(address: string): Promise<void> {
    const { wanted, tell } = this.#listener;
    return listen({
      name: "the system's bus",
      address,
      subscribe: async (bus) => {
        for (const rule of wanted.flatMap((event) => LOGIND_RULES[event]))
          await bus.callBus('AddMatch', rule);
        if (!(await isOnBus(bus))) throw new BusError('logind is not there');
      },
      hear: (bus, signal) => this.#hearLogind(bus, signal),
      tell: (why) => tell('logind', why),
    });
  }

  #listenToScreenSaver(address: string): Promise<void> {
    return listen({
      name: "the session's bus",
      address,
      // Whoever may send to the session's bus may have programs started, so this connection gives that up.
      subscribe: (bus) => bus.becomeMonitor([SCREEN_SAVER_RULE]),
      hear: (_bus, signal) => this.#hearScreenSaver(signal),
      tell: (why) => this.#listener.tell('screen saver', why),
    });
  }

  #hearLogind(bus: BusConnection, signal: Message): void {
    const said = readLogind(signal);
    if (said === 'suspend' || said === 'wake') void this.#judgeManager(bus, signal, said);
    else if (said !== null) this.#judging = this.#judging.then(() => this.#judgeSession(bus, signal, said));
  }

  async #judgeManager(bus: BusConnection, signal: Message, event: 'suspend' | 'wake'): Promise<void> {
    if (await isOfLogind(bus, signal)) this.#listener.hear(event);
  }

  /** If logind does not say whose session it is, the vault is sealed and not unsealed. */
  async #judgeSession(bus: BusConnection, signal: Message, said: Said): Promise<void> {
    if (!(await isOfLogind(bus, signal))) return;
    const event = said === 'changed' ? await this.#readHint(bus, signal.path) : said;
    if (event === null) return;
    if ((await isOfOurUser(bus, signal.path)) ?? event === 'lock') this.#listener.hear(event);
  }

  /** Returns what the session's LockedHint says, which some desktops set without a word on locking; null if nothing new. */
  async #readHint(bus: BusConnection, path: string): Promise<'lock' | 'unlock' | null> {
    const isLocked = await readProperty(bus, path, 'LockedHint', 'b', (body) => body.boolean());
    if (isLocked === null || isLocked === (this.#hints.get(path) ?? false)) return null;
    this.#hints.set(path, isLocked);
    return isLocked ? 'lock' : 'unlock';
  }

  #hearScreenSaver({ interface: name, member, signature, body }: Message): void {
    if (member !== 'ActiveChanged' || !SCREEN_SAVER.test(name) || signature !== 'b') return;
    this.#listener.hear(body.boolean() ? 'lock' : 'unlock');
  }
}

/** What a session's signal says; `changed`: some of its properties are others. */
type Said = 'lock' | 'unlock' | 'changed';

/** Returns what a signal of logind says; null if it is none of ours. */
function readLogind({ interface: name, member, signature, body }: Message): 'suspend' | 'wake' | Said | null {
  if (name === `${LOGIND}.Manager` && member === 'PrepareForSleep' && signature === 'b')
    return body.boolean() ? 'suspend' : 'wake';
  if (name === PROPERTIES && member === 'PropertiesChanged')
    return signature.startsWith('s') && body.text() === SESSION ? 'changed' : null;
  if (name !== SESSION) return null;
  return member === 'Lock' ? 'lock' : member === 'Unlock' ? 'unlock' : null;
}

async function isOnBus(bus: BusConnection): Promise<boolean> {
  return (await bus.callBus('NameHasOwner', LOGIND)).body.boolean();
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
  // The user's number, and the user's path.
  return readProperty(bus, path, 'User', '(uo)', (body) => {
    body.align(8);
    return body.word() === process.geteuid?.();
  });
}

/** Returns a property of a session, which is a variant of type `signature`; null if logind does not say it. */
async function readProperty(
  bus: BusConnection,
  path: string,
  name: string,
  signature: string,
  read: (body: Message['body']) => boolean,
): Promise<boolean | null> {
  try {
    const { body } = await bus.call({
      destination: LOGIND,
      path,
      interface: PROPERTIES,
      member: 'Get',
      arguments: { texts: [SESSION, name] },
    });
    return body.signature() === signature ? read(body) : null;
  } catch {
    return null;
  }
}
