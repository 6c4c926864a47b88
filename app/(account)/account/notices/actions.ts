'use server'

import { revalidatePath } from 'next/cache'
import { accepted } from '@/lib/kit'
import { markRead, markReadSchema } from '@/lib/notices'
import { userAction } from '@/lib/web'

export const markReadAction = userAction(markReadSchema, async (input, { user }) => {
  const result = await markRead(user.id, input)
  if (!result.ok) return result
  // The bell is in the layout.
  revalidatePath('/account', 'layout')
  return accepted(null)
})
