// What a worker and the process that watches over it say to each other.

import type { ControlAnswer, ControlRequest } from '../lib/core/control.js'
import type { ServerSettings } from '../lib/core/settings.js'

export type ToWorker =
  | {
      readonly kind: 'begin'
      readonly node: string
      readonly settings: ServerSettings
      /** Of the one that tells people where the server is: the configuration's file */
      readonly tell: { readonly file: string | undefined } | undefined
    }
  | { readonly kind: 'ask'; readonly number: number; readonly request: ControlRequest }
  | { readonly kind: 'reload'; readonly number: number; readonly settings: ServerSettings }
  | { readonly kind: 'stop' }

export type FromWorker =
  /** It waits for what to begin. */
  | { readonly kind: 'up' }
  | { readonly kind: 'ready' }
  | { readonly kind: 'answer'; readonly number: number; readonly answer: ControlAnswer }
