/** What the program tells the process that started it: a folder, before the first write to it. */
export interface FromProgram {
  readonly writesTo: string;
}
