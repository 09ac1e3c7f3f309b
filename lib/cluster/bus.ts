// Tells another node something. Frames between two nodes arrive in the order they were sent, at most
// once; whoever needs more asks for an answer, or reads in the log what was lost. `send` says whether the
// node was there to receive.

export interface Bus {
  readonly node: string
  /** One receiver; set before the first frame can arrive. */
  onFrame(receive: (from: string, frame: Buffer) => void): void
  /** Frames may have been lost since this moment; what comes waits until the promise is kept. */
  onMissed(repair: (since: number) => Promise<void>): void
  /** Says so from outside: somebody who may have sent something has ended. */
  missed(since: number): void
  send(node: string, frame: Buffer): boolean | Promise<boolean>
  /** To all others, in its order with what is sent to each; who is not there does not hear it. */
  sendAll(frame: Buffer): void
  nodes(): readonly string[]
  /** Quietly: the others are not told, and what waits does not leave. */
  close(quietly?: boolean): Promise<void>
}
