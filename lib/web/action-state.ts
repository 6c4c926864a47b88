/** What an action answers to its form. Plain data: it travels to the browser. */
export type ActionState = {
  status: 'idle' | 'invalid' | 'refused' | 'failed' | 'done'
  /** One sentence for above the form, in the person's language. */
  message: string | null
  /** The refusal's code, for forms that offer a way on (top up what is missing, agree to the new price). */
  code: string | null
  /** The refusal's or the answer's facts as text. */
  facts: Record<string, string>
  fieldErrors: Record<string, string>
  /** What was typed, for browsers without script; never a secret. */
  values: Record<string, string>
}

export const IDLE: ActionState = { status: 'idle', message: null, code: null, facts: {}, fieldErrors: {}, values: {} }
