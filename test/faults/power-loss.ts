import type { Remarks } from './kill.js'
import type { Stage } from './stage.js'
export async function powerLoss(_: Stage): Promise<Remarks> {
  throw new Error('later')
}
