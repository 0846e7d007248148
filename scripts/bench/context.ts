/** What every part of the benchmark is given. */
import type { Vaults } from './vaults.ts';

export interface Settings {
  /** Number of times that the two sides of a comparison run in turn. */
  readonly rounds: number;
  /** Duration of each run of the load. */
  readonly loadMs: number;
  /** Number of times that a short command, such as `mav get`, runs beside `node -e 0`. */
  readonly pairs: number;
  /** Number of secrets in the largest vault; a multiple of 1,000. */
  readonly secrets: number;
  /** Number of secrets in an import, and in the vault that is listed whole and that a daemon is started on. */
  readonly listed: number;
  /** Number of secrets in the vault whose secrets have old versions; a multiple of 1,000. */
  readonly versioned: number;
  readonly tokens: number;
  /** Duration of the load before the memory is measured. */
  readonly memoryMs: number;
}

export interface Bench {
  /** Folder for files; removed at the end. */
  readonly folder: string;
  readonly settings: Settings;
  readonly vaults: Vaults;
  /** Reports the progress. */
  readonly say: (progress: string) => void;
}
