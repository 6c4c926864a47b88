import { COMMON_POLICY } from '@/lib/catalog'
import { HOUR_MS } from '@/lib/kit'
import { expect, it } from 'vitest'
import { guaranteesOf } from './guarantees'

const delivered = new Date('2026-03-01T00:00:00Z')
const at = (hours: number) => new Date(delivered.getTime() + hours * HOUR_MS)
const proxy = {
  handedOverAt: at(10),
  deliveredAt: delivered,
  expiresAt: at(720),
  isByTraffic: false,
  isHeld: true,
  replacements: 1,
}

it('tells until when each row holds: from the hand-over of this proxy, or from the order, never past its end', () => {
  expect(guaranteesOf(COMMON_POLICY, proxy, at(40))).toMatchObject([
    { until: at(34), isOver: true },
    { until: at(720), isOver: false },
  ])
  expect(guaranteesOf(COMMON_POLICY, { ...proxy, isByTraffic: true }, at(20))).toMatchObject([
    { until: at(34), isOver: false },
    { isOver: false },
    { until: at(24), isOver: false },
  ])
  expect(guaranteesOf(COMMON_POLICY, { ...proxy, expiresAt: at(30) }, at(20))[0]).toMatchObject({ until: at(30) })
})

it('an exchange that was used up is over, and so is everything about a proxy that ended', () => {
  expect(guaranteesOf(COMMON_POLICY, { ...proxy, replacements: 2 }, at(20)).every((each) => each.isOver)).toBe(true)
  expect(guaranteesOf(COMMON_POLICY, { ...proxy, isHeld: false }, at(20)).every((each) => each.isOver)).toBe(true)
})
