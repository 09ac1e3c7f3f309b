// Tells another node something. Frames between two nodes arrive in the order they were sent, at most
// once; whoever needs more asks for an answer. `send` says whether the node was there to receive.

export interface Bus {
  readonly node: string
  /** One receiver; set before the first frame can arrive. */
  onFrame(receive: (from: string, frame: Buffer) => void): void
  send(node: string, frame: Buffer): boolean | Promise<boolean>
  nodes(): readonly string[]
  close(): Promise<void>
}
