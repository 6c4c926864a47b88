'use client'

import { createContext, type ReactNode, startTransition, useActionState, useContext, useEffect, useRef } from 'react'
import type { ActionState, FormAction } from '@/lib/web'
import { Alert } from './alert'

const IDLE: ActionState = { status: 'idle', message: null, code: null, facts: {}, fieldErrors: {}, values: {} }

const FormContext = createContext<{ state: ActionState; isPending: boolean }>({ state: IDLE, isPending: false })

/** What the form's action answered last, and whether it is at work. For fields and buttons inside an ActionForm. */
export function useFormAnswer() {
  return useContext(FormContext)
}

/**
 * A form over a server action. Nothing that was typed is lost on an error; the first wrong field gets the focus; one sentence says what happened, also
 * to a screen reader. Without script it works as a plain form. The action names its own words; nothing here needs texts.
 */
export function ActionForm({
  action,
  children,
  className,
  answer,
  id,
  showsDone = true,
}: {
  action: FormAction
  children: ReactNode
  className?: string
  /** What to show below the sentence for certain refusals, by code: the way on. */
  answer?: Record<string, ReactNode>
  id?: string
  /** Whether a success says its sentence above the form. */
  showsDone?: boolean
}) {
  const [state, formAction, isPending] = useActionState(action, IDLE)
  const form = useRef<HTMLFormElement>(null)
  useEffect(() => {
    if (state.status === 'idle') return
    const wrong = form.current?.querySelector<HTMLElement>('[aria-invalid=true]')
    if (wrong) wrong.focus()
    if (state.status === 'done')
      for (const field of form.current?.querySelectorAll<HTMLInputElement>('input[type=password]') ?? [])
        field.value = ''
  }, [state])
  const isShown = state.message !== null && (state.status !== 'done' || showsDone)
  return (
    <FormContext value={{ state, isPending }}>
      <form
        ref={form}
        id={id}
        action={formAction}
        noValidate
        onSubmit={(event) => {
          // React empties a form after its action; sending it ourselves keeps what was typed.
          event.preventDefault()
          if (isPending) return
          const submitter = (event.nativeEvent as SubmitEvent).submitter
          const formData = new FormData(event.currentTarget, submitter)
          startTransition(() => formAction(formData))
        }}
      >
        <div aria-live="polite" className={isShown ? 'mb-4' : ''}>
          {isShown && (
            <Alert tone={state.status === 'done' ? 'good' : 'bad'}>
              {state.message}
              {state.code !== null && answer?.[state.code] && <div className="mt-2">{answer[state.code]}</div>}
            </Alert>
          )}
        </div>
        <div className={className}>{children}</div>
      </form>
    </FormContext>
  )
}
