import { defineJob } from '@/lib/jobs'
import { z } from 'zod'

/** Runs every minute, over what is recent. Tried once: the next minute brings the next run. */
export const issueDueJob = defineJob({ name: 'papers.issue_due', payload: z.object({}), maxAttempts: 1 })

/** Runs once a night, over everything. */
export const issueMissedJob = defineJob({ name: 'papers.issue_missed', payload: z.object({}), maxAttempts: 1 })
