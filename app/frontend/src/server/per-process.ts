/**
 * One value for the whole process.
 *
 * The bundler may give each route its own copy of a module, so a module's own variable is not shared by
 * all routes. The global object is.
 */
export function perProcess<T>(name: string, create: () => T): T {
  const key = Symbol.for(`todo-frontend.${name}`);
  const store = globalThis as unknown as Record<symbol, T>;
  if (!(key in store)) store[key] = create();
  return store[key] as T;
}
