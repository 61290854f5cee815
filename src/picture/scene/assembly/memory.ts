/** Where the module's own data ends; everything behind belongs to the host. */
export function heapStart(): usize {
  return __heap_base;
}
