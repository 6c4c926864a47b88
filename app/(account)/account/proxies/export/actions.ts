'use server'

import { revalidatePath } from 'next/cache'
import { sayPreview } from '@/components/exports/say-preview'
import { translator } from '@/i18n/translator'
import { env } from '@/lib/env'
import {
  compileTemplate,
  feedIdSchema,
  findWriter,
  listFeeds,
  makeFeed,
  makeFeedSchema,
  previewSchema,
  previewTemplateSchema,
  removeTemplate,
  removeTemplateSchema,
  renameFeed,
  renameFeedSchema,
  revokeFeed,
  rotateFeed,
  saveTemplate,
  saveTemplateSchema,
} from '@/lib/exports'
import { accepted, refused } from '@/lib/kit'
import { userAction } from '@/lib/web'

const PAGE = '/account/proxies/export'

export const previewAction = userAction(previewSchema, async ({ format, passwords, ...filter }, { user, locale }) => {
  const writer = await findWriter(user.id, format)
  if (!writer) return refused('not_found')
  const input = { userId: user.id, filter, writer, showsPasswords: passwords === 'show' }
  return accepted({ facts: await sayPreview(input, locale) })
})

export const previewTemplateAction = userAction(previewTemplateSchema, async ({ kind, text }, { user, locale }) => {
  const compiled = compileTemplate(kind, text)
  if (!compiled.ok) return compiled
  const input = { userId: user.id, filter: {}, writer: compiled.value, showsPasswords: false }
  return accepted({ facts: await sayPreview(input, locale) })
})

export const saveTemplateAction = userAction(saveTemplateSchema, async (input, { user, locale }) => {
  const saved = await saveTemplate(user, input)
  if (!saved.ok) return saved
  revalidatePath(PAGE)
  return accepted({ message: translator(locale, 'exports')('saved') })
})

export const removeTemplateAction = userAction(removeTemplateSchema, async (input, { user, locale }) => {
  const removed = await removeTemplate(user, input)
  if (!removed.ok) return removed
  revalidatePath(PAGE)
  return accepted({ message: translator(locale, 'exports')('removed') })
})

/** The address of a feed, which names the ending of its format. */
async function addressOf(userId: string, format: string, token: string): Promise<string> {
  const writer = await findWriter(userId, format)
  return new URL(`/api/feeds/${token}.${writer?.file ?? 'txt'}`, env().PUBLIC_URL).href
}

export const makeFeedAction = userAction(makeFeedSchema, async ({ name, format, ...filter }, { user, actor }) => {
  const made = await makeFeed({ ...actor, id: user.id }, { kind: 'proxies', name, filter, format })
  if (!made.ok) return made
  revalidatePath(PAGE)
  return accepted({ facts: { url: await addressOf(user.id, format, made.value.token) } })
})

export const renameFeedAction = userAction(renameFeedSchema, async (input, { user, locale }) => {
  const renamed = await renameFeed(user, input)
  if (!renamed.ok) return renamed
  revalidatePath(PAGE)
  return accepted({ message: translator(locale, 'exports')('renamed') })
})

export const rotateFeedAction = userAction(feedIdSchema, async (input, { user, actor }) => {
  const rotated = await rotateFeed({ ...actor, id: user.id }, input)
  if (!rotated.ok) return rotated
  const feed = (await listFeeds({ userId: user.id, kind: 'proxies' })).find(({ id }) => id === input.feedId)
  revalidatePath(PAGE)
  return accepted({
    facts: { url: await addressOf(user.id, feed?.format ?? feed?.templateId ?? '', rotated.value.token) },
  })
})

export const revokeFeedAction = userAction(feedIdSchema, async (input, { user, actor, locale }) => {
  const revoked = await revokeFeed({ ...actor, id: user.id }, input)
  if (!revoked.ok) return revoked
  revalidatePath(PAGE)
  return accepted({ message: translator(locale, 'exports')('revoked') })
})
