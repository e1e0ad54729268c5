/**
 * V8 keeps an object's shape (its map) only as long as an object of it lives. Where none outlives a request, each full garbage collection
 * drops the shape, and with it all code that was optimised for it: it is compiled again a moment later, and slow until then.
 */
const kept: object[] = [];

/** Keeps the shape of this object, which is like all that its class makes, for the isolate's lifetime. To be called at module scope. */
export function keepShape(sample: object): void {
  kept.push(sample);
}
