/** What the program tells the process that started it: a folder, before the first write to it; or that it saves its
 * work when it is asked to stop. */
export type FromProgram = { readonly writesTo: string } | { readonly stopsGently: true };

/** What that process tells the program: somebody pressed Ctrl-C. */
export interface ToProgram {
  readonly stop: true;
}
