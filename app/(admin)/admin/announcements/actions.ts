'use server'

import { revalidatePath } from 'next/cache'
import { redirect } from 'next/navigation'
import { translator } from '@/i18n/translator'
import {
  changeTimes,
  changeTimesSchema,
  deleteDraft,
  deleteDraftSchema,
  editTexts,
  editTextsSchema,
  publishAnnouncement,
  publishSchema,
  saveAnnouncement,
  saveAnnouncementSchema,
  withdrawAnnouncement,
  withdrawSchema,
} from '@/lib/announcements'
import { accepted } from '@/lib/kit'
import { adminAction } from '@/lib/web'

export const saveAnnouncementAction = adminAction(
  'announcements.write',
  saveAnnouncementSchema,
  async (input, { user, locale }) => {
    const saved = await saveAnnouncement({ kind: 'staff', id: user.id }, input)
    if (!saved.ok) return saved
    if (!input.announcementId) redirect(`/admin/announcements/${saved.value.announcementId}`)
    revalidatePath('/admin/announcements', 'layout')
    return accepted({
      message: translator(locale, 'announcements')('saved'),
      facts: { revision: saved.value.revision },
    })
  },
)

export const editTextsAction = adminAction('announcements.write', editTextsSchema, async (input, { user, locale }) => {
  const saved = await editTexts({ kind: 'staff', id: user.id }, input)
  if (!saved.ok) return saved
  revalidatePath('/admin/announcements', 'layout')
  return accepted({ message: translator(locale, 'announcements')('saved'), facts: { revision: saved.value.revision } })
})

export const publishAction = adminAction('announcements.write', publishSchema, async (input, { user, locale }) => {
  const published = await publishAnnouncement({ kind: 'staff', id: user.id }, input)
  if (!published.ok) return published
  revalidatePath('/admin/announcements', 'layout')
  const say = translator(locale, 'announcements')
  return accepted({ message: say(published.value.isScheduled ? 'scheduledNow' : 'publishedNow') })
})

export const changeTimesAction = adminAction(
  'announcements.write',
  changeTimesSchema,
  async (input, { user, locale }) => {
    const changed = await changeTimes({ kind: 'staff', id: user.id }, input)
    if (!changed.ok) return changed
    revalidatePath('/admin/announcements', 'layout')
    return accepted({ message: translator(locale, 'announcements')('timesSaved') })
  },
)

export const withdrawAction = adminAction('announcements.write', withdrawSchema, async (input, { user, locale }) => {
  const withdrawn = await withdrawAnnouncement({ kind: 'staff', id: user.id }, input)
  if (!withdrawn.ok) return withdrawn
  revalidatePath('/admin/announcements', 'layout')
  const say = translator(locale, 'announcements')
  return accepted({ message: say(withdrawn.value.isDraft ? 'unscheduled' : 'withdrawNow') })
})

export const deleteDraftAction = adminAction('announcements.write', deleteDraftSchema, async (input, { user }) => {
  const deleted = await deleteDraft({ kind: 'staff', id: user.id }, input)
  if (!deleted.ok) return deleted
  revalidatePath('/admin/announcements', 'layout')
  redirect('/admin/announcements')
})
