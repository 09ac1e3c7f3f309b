// What the tests use of @xmpp/client, which brings no types.

declare module '@xmpp/client' {
  export interface Client {
    start(): Promise<unknown>
    stop(): Promise<unknown>
    send(element: unknown): Promise<unknown>
    on(event: string, listener: (argument: never) => void): void
  }
  export function client(options: Record<string, unknown>): Client
  export function xml(
    name: string,
    attributes?: Record<string, string>,
    ...children: unknown[]
  ): unknown
}
