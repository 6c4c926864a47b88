'use server'

import { revalidatePath } from 'next/cache'
import { translator } from '@/i18n/translator'
import { env } from '@/lib/env'
import {
  feedIdSchema,
  makeCalendarSchema,
  makeFeed,
  renameFeed,
  renameFeedSchema,
  revokeFeed,
  rotateFeed,
} from '@/lib/exports'
import { accepted } from '@/lib/kit'
import { userAction } from '@/lib/web'

const PAGE = '/account/planner'
const addressOf = (token: string) => new URL(`/api/calendar/${token}.ics`, env().PUBLIC_URL).href

export const makeCalendarAction = userAction(makeCalendarSchema, async ({ name }, { user, actor }) => {
  const made = await makeFeed({ ...actor, id: user.id }, { kind: 'calendar', name })
  if (!made.ok) return made
  revalidatePath(PAGE)
  return accepted({ facts: { url: addressOf(made.value.token) } })
})

export const renameCalendarAction = userAction(renameFeedSchema, async (input, { user, locale }) => {
  const renamed = await renameFeed(user, input)
  if (!renamed.ok) return renamed
  revalidatePath(PAGE)
  return accepted({ message: translator(locale, 'exports')('renamed') })
})

export const rotateCalendarAction = userAction(feedIdSchema, async (input, { user, actor }) => {
  const rotated = await rotateFeed({ ...actor, id: user.id }, input)
  if (!rotated.ok) return rotated
  revalidatePath(PAGE)
  return accepted({ facts: { url: addressOf(rotated.value.token) } })
})

export const revokeCalendarAction = userAction(feedIdSchema, async (input, { user, actor, locale }) => {
  const revoked = await revokeFeed({ ...actor, id: user.id }, input)
  if (!revoked.ok) return revoked
  revalidatePath(PAGE)
  return accepted({ message: translator(locale, 'exports')('revoked') })
})
