// The PostgreSQL that servers keep archives in: one cluster for all, started when the first one wants
// it; a database for each group of works, a new one each time unless it lasts.
import { type Cluster, startCluster } from './peers/postgres.js'

/** One cluster for all, started when the first one wants it; databases that last keep their name. */
export class Databases {
  private readonly folder: string
  private shared: Promise<Cluster> | undefined
  private readonly lasting = new Map<string, string>()

  constructor(folder: string) {
    this.folder = folder
  }

  cluster(): Promise<Cluster> {
    this.shared ??= startCluster(this.folder)
    return this.shared
  }

  async addressFor(name: string, lasting: boolean): Promise<string> {
    const known = this.lasting.get(name)
    if (known !== undefined && lasting) return known
    const address = await (await this.cluster()).database()
    this.lasting.set(name, address)
    return address
  }

  async stop(): Promise<void> {
    await (await this.shared)?.stop()
  }
}
