'use server'

import { revalidatePath } from 'next/cache'
import { z } from 'zod'
import { translator } from '@/i18n/translator'
import { sendJobAgain } from '@/lib/admin'
import { accepted } from '@/lib/kit'
import { adminAction } from '@/lib/web'

export const retryJobAction = adminAction(
  'jobs.retry',
  z.object({ jobId: z.string().max(20) }),
  async ({ jobId }, { actor, locale }) => {
    const result = await sendJobAgain(actor, jobId)
    if (!result.ok) return result
    revalidatePath('/admin', 'layout')
    return accepted({ message: translator(locale, 'admin')('retried') })
  },
)
