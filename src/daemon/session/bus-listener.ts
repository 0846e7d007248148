/** Hears signals of one message bus. When the bus is not there, or ends, it connects again, less and less often. */
import { setTimeout as sleep } from 'node:timers/promises';
import { BusConnection, BusError } from '../bus/connection.ts';
import type { Message } from '../bus/message.ts';

/** How long it waits before it connects again: twice as long after each failure. */
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 60_000;

export interface Listener {
  /** For people: which bus it is. */
  readonly name: string;
  /** As DBUS_SESSION_BUS_ADDRESS has it. */
  readonly address: string;
  /** Asks the bus for the signals. Rejects with BusError, whose message says why they are not heard. */
  readonly subscribe: (bus: BusConnection) => Promise<void>;
  readonly hear: (bus: BusConnection, signal: Message) => void;
  /** Called after each attempt to connect and when the connection ends: why nothing is heard; null: all is heard. */
  readonly tell: (why: string | null) => void;
}

/** Listens until the process ends. Resolves after the first attempt to connect. */
export async function listen(listener: Listener): Promise<void> {
  const first = await connect(listener);
  void goOn(listener, first);
}

/** `first`: null: the first attempt failed. */
async function goOn(listener: Listener, first: BusConnection | null): Promise<never> {
  let [bus, waitMs] = [first, FIRST_WAIT_MS];
  for (;;) {
    if (bus !== null) {
      await bus.ended;
      waitMs = FIRST_WAIT_MS;
      listener.tell(`${listener.name} is gone`);
    }
    await sleep(waitMs);
    waitMs = Math.min(2 * waitMs, LONGEST_WAIT_MS);
    bus = await connect(listener);
  }
}

/** Returns a connection over which the signals are heard; null if there is none. Never rejects. */
async function connect({ name, address, subscribe, hear, tell }: Listener): Promise<BusConnection | null> {
  const bus = await BusConnection.open(address);
  if (bus === null) {
    tell(`${name} cannot be reached`);
    return null;
  }
  bus.onSignal = (signal) => hear(bus, signal);
  try {
    await bus.begin();
    await subscribe(bus);
    tell(null);
    return bus;
  } catch (error) {
    bus.close();
    tell(`${name}: ${error instanceof BusError ? error.message : 'it sends what is no D-Bus'}`);
    return null;
  }
}
