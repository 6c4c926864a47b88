import { z } from 'zod'
import { proxyFilterSchema } from '@/lib/holdings/schemas'
import { BUILT_IN_FORMATS } from './formats'
import { TEMPLATE_KINDS } from './template'

const text = (maximum: number) => z.string().trim().max(maximum, 'text_too_long')
/** What a person calls a template or a feed. */
const nameSchema = text(60).min(1, 'required')

/** Which proxies: the filter of the table of proxies, so that what is looked at there can be taken away here, or a selection made there, by its id. */
export const exportFilterSchema = proxyFilterSchema.extend({
  selection: z
    .string()
    .regex(/^sel_[0-9a-f]{32}$/)
    .optional()
    .catch(undefined),
})
export type ExportFilter = z.infer<typeof exportFilterSchema>

const templateId = z.string().regex(/^tpl_[0-9a-f]{32}$/)
/** How they are written: a format everybody has, or a template by its id. */
export const formatChoiceSchema = z.union([z.enum(BUILT_IN_FORMATS), templateId], 'choice_invalid')
export type FormatChoice = z.infer<typeof formatChoiceSchema>

/** Not shortened and not trimmed: a template is judged as it was typed, with the place of what is wrong in it. */
export const saveTemplateSchema = z.object({
  templateId: z.union([z.literal('').transform(() => undefined), templateId]).optional(),
  name: nameSchema,
  kind: z.enum(TEMPLATE_KINDS, 'choice_invalid'),
  text: z.string().max(2000, 'text_too_long'),
})
export const previewTemplateSchema = saveTemplateSchema.pick({ kind: true, text: true })
/** What the form of the studio asks for. */
export const previewSchema = exportFilterSchema.extend({
  format: formatChoiceSchema,
  passwords: z.literal('show').optional(),
})
export const removeTemplateSchema = z.object({ templateId })

const feedId = z.string().regex(/^fed_[0-9a-f]{32}$/)
/** A selection is gone in a day, so no feed is made of one. */
export const makeFeedSchema = proxyFilterSchema.extend({ name: nameSchema, format: formatChoiceSchema })
export const makeCalendarSchema = z.object({ name: nameSchema })
export const renameFeedSchema = z.object({ feedId, name: nameSchema })
export const feedIdSchema = z.object({ feedId })
