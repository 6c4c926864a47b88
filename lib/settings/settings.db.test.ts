import { expect, test } from 'vitest'
import { z } from 'zod'
import { SYSTEM } from '@/lib/audit'
import { db } from '@/lib/db'
import { defineSettings } from './define-settings'

const schema = z.object({ maxMicros: z.string().regex(/^\d+$/).transform(BigInt), isOn: z.boolean() })

test('first values hold until something is saved, and fill up what an older row lacks', async () => {
  const limits = defineSettings('test.limits', schema, { maxMicros: '5000000', isOn: false })
  expect(await limits.read()).toEqual({ maxMicros: 5_000_000n, isOn: false })
  await db().shopSettings.create({ data: { name: 'test.limits', value: { isOn: true } } })
  expect(await limits.readFresh()).toEqual({ maxMicros: 5_000_000n, isOn: true })
})

test('a save holds at once in its process, and names in the audit what changed', async () => {
  const rules = defineSettings('test.rules', schema, { maxMicros: '1', isOn: false })
  await rules.read()
  await rules.save(SYSTEM, { maxMicros: '2', isOn: false })
  expect(await rules.read()).toEqual({ maxMicros: 2n, isOn: false })
  const [entry] = await db().auditEntry.findMany({ where: { subjectId: 'test.rules' } })
  expect(entry).toMatchObject({ action: 'settings.changed', data: { fields: ['maxMicros'] } })
})

test('what does not fit is not saved', async () => {
  const rules = defineSettings('test.refused', schema, { maxMicros: '1', isOn: false })
  await expect(rules.save(SYSTEM, { maxMicros: '-2', isOn: false })).rejects.toThrow()
  expect(await db().shopSettings.count({ where: { name: 'test.refused' } })).toBe(0)
})
