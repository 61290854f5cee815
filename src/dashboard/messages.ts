/** What the server of the dashboard tells its page. Types only: both sides import them. */

/** `GET /api/runs`. */
export interface RunList {
  readonly runs: readonly RunSummary[];
}

export interface RunSummary {
  readonly name: string;
  /** Images shown at the last tick; null before the first one. */
  readonly seen: number | null;
}

/** `GET /api/runs/NAME`. */
export interface RunReport {
  readonly name: string;
  /** Text of `config.json`; null when there is none. */
  readonly config: string | null;
  /** The last lines of `log.txt`. */
  readonly log: string;
  readonly snapshots: readonly ListedSnapshot[];
}

export interface ListedSnapshot {
  readonly kind: string;
  /** Images shown. */
  readonly seen: number;
  /** Where the picture is; another one when the file was written again. */
  readonly url: string;
}

/** One statistic over one tick; null for what was not finite. */
export interface Mean {
  readonly num: number;
  readonly mean: number | null;
  readonly std: number | null;
}

export interface Tick {
  readonly statistics: Readonly<Record<string, Mean>>;
  /** Seconds since 1970. */
  readonly timestamp: number;
}

/** `GET /api/runs/NAME/stats?file=ID&from=BYTE`: the ticks after those that the page has. */
export interface StatsAnswer {
  /** Names this version of the file: a resumed run writes it anew. */
  readonly file: string;
  /** Where these ticks begin: 0 means that the page forgets what it has. */
  readonly from: number;
  /** Where to ask from next time. */
  readonly next: number;
  readonly ticks: readonly Tick[];
  /** Whether there is more to be had at once. */
  readonly more: boolean;
}
