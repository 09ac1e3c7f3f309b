// What is known now is used now; what is not is waited for.

export type Later<T> = T | Promise<T>

export function whenKnown<T, R>(value: Later<T>, use: (value: T) => Later<R>): Later<R> {
  return value instanceof Promise ? value.then(use) : use(value)
}
