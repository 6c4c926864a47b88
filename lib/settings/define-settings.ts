import type { z } from 'zod'
import { type Actor, recordAudit } from '@/lib/audit'
import { db, inTransaction, keepCopy, type Prisma, type Tx } from '@/lib/db'
import { accepted } from '@/lib/kit'
import { namesOfChanges } from './define-accounts'

/** A group of settings that belongs together: one row, read whole, saved whole. Amounts are micros as text in `Stored`. */
export type Settings<Value, Stored> = {
  name: string
  /** The form in which the group is kept and in which forms fill it in; parsing it gives `Value`. */
  schema: z.ZodType<Value, Stored>
  /** The settings as they hold now, from this process's copy, two seconds old at most. */
  read: () => Promise<Value>
  /** The same from the database, under the caller's transaction when one is given; what a decision about money goes by. */
  readFresh: (tx?: Tx) => Promise<Value>
  /** Keeps the group from now on, and writes to the audit which of its fields changed. What does not fit the schema is a bug and throws. */
  save: (actor: Actor, stored: Stored) => Promise<Value>
}

/**
 * Declares a group of settings. `initial` holds until an operator saves something else; fields that a later version adds take their place from
 * it, so that an older row stays readable. Never for secrets: rows are read by everything.
 */
export function defineSettings<Value, Stored extends Prisma.InputJsonObject>(
  name: string,
  schema: z.ZodType<Value, Stored>,
  initial: Stored,
): Settings<Value, Stored> {
  async function readFresh(tx?: Tx): Promise<Value> {
    const row = await (tx ?? db()).shopSettings.findUnique({ where: { name }, select: { value: true } })
    return schema.parse({ ...initial, ...(row?.value as Partial<Stored> | undefined) })
  }

  const copy = keepCopy(`settings ${name}`, () => readFresh())

  async function save(actor: Actor, stored: Stored): Promise<Value> {
    const value = schema.parse(stored)
    await inTransaction(async (tx) => {
      const row = await tx.shopSettings.findUnique({ where: { name }, select: { value: true } })
      const before = { ...initial, ...(row?.value as Partial<Stored> | undefined) }
      const changed = namesOfChanges(Object.keys(stored), before, stored)
      await tx.shopSettings.upsert({
        where: { name },
        create: { name, value: stored },
        update: { value: stored, updatedAt: new Date() },
        select: { name: true },
      })
      await recordAudit(tx, actor, {
        action: 'settings.changed',
        subjectKind: 'settings',
        subjectId: name,
        data: { fields: changed },
      })
      return accepted(undefined)
    })
    copy.forget()
    return value
  }

  return { name, schema, read: copy.read, readFresh, save }
}
