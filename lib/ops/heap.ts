// How the engine keeps this process's memory. By itself it comes to take what a stanza leaves for
// long-lived, makes that among old things, and then nearly everything that a message consists of stays
// until all memory is searched: a pause of tens of milliseconds, several times as often.

import { setFlagsFromString } from 'node:v8'

/** Before anything is busy; holds for the whole process, its threads included. */
export function keepShortLivedYoung(): void {
  setFlagsFromString('--no-allocation-site-pretenuring')
}
