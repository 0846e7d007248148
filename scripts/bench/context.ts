/** What every part of the benchmark is given. */
import type { Vaults } from './vaults.ts';

export interface Settings {
  /** How often what is compared runs in turn. */
  readonly rounds: number;
  /** How long each run of the load takes. */
  readonly loadMs: number;
  /** How often what starts and ends, such as `mav get`, runs beside `node -e 0`. */
  readonly pairs: number;
  /** Secrets in the largest vault; a multiple of 1,000. */
  readonly secrets: number;
  /** Secrets in the vault that is listed as a whole and that a daemon is started on, and of an import. */
  readonly listed: number;
  readonly tokens: number;
  /** How long the load runs before the memory is looked at. */
  readonly memoryMs: number;
}

export interface Bench {
  /** For files; removed at the end. */
  readonly folder: string;
  readonly settings: Settings;
  readonly vaults: Vaults;
  /** Tells whoever waits how far it is. */
  readonly say: (progress: string) => void;
}
