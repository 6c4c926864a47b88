import type { Refusal, Result } from '@/lib/kit'
import { type Database, db, type Tx } from './client'

class RolledBack extends Error {
  readonly result: { ok: false; refusal: Refusal }
  constructor(result: { ok: false; refusal: Refusal }) {
    super('rolled back: the work was refused')
    this.result = result
  }
}

/**
 * Runs the work in one transaction and returns what it returns. Rolls back when the work throws, and also when it *returns* a
 * refusal: a command that finds half-way that it must say no leaves nothing behind.
 */
export async function inTransaction<Value, R extends Refusal>(
  work: (tx: Tx) => Promise<Result<Value, R>>,
  database: Database = db(),
): Promise<Result<Value, R>> {
  try {
    return await database.$transaction(
      async (tx) => {
        const result = await work(tx)
        if (!result.ok) throw new RolledBack(result)
        return result
      },
      { maxWait: 10_000, timeout: 20_000 },
    )
  } catch (error) {
    if (error instanceof RolledBack) return error.result as Result<Value, R>
    throw error
  }
}
