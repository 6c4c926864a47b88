import { z } from 'zod'
import { defineJob } from '@/lib/jobs'

/** Goes through everybody whom an announcement concerns. */
export const tellJob = defineJob({ name: 'announcements.tell', payload: z.object({ announcementId: z.string() }) })

/** Every minute: publishes what is due, and warns whoever came to hold touched proxies since the last look. */
export const sweepAnnouncementsJob = defineJob({
  name: 'announcements.sweep',
  payload: z.object({}),
  maxAttempts: 1,
})
