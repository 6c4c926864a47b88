import { planChangeSchema } from '@/lib/prices/schemas'
import { z } from 'zod'
import { readPriceLines } from './price-lines'

type Form = Record<string, unknown>

/** The form of a planned change: its moment and the lines of its prices. */
export const planChangeFormSchema = z.preprocess((form) => {
  const { planId, at } = form as Form
  return { planId, at, ...readPriceLines(form as Form) }
}, planChangeSchema)
