'use client'

import type { ComponentProps } from 'react'
import { type ButtonSize, buttonStyles, type ButtonVariant } from './button-styles'
import { useFormAnswer } from './action-form'
import { Spinner } from './spinner'

/** The button that sends its ActionForm. While the action is at work it shows so and cannot be pressed again. */
export function SubmitButton({
  variant,
  size,
  className,
  children,
  ...props
}: ComponentProps<'button'> & { variant?: ButtonVariant; size?: ButtonSize }) {
  const { isPending } = useFormAnswer()
  return (
    <button
      type="submit"
      className={buttonStyles({ variant, size, className })}
      aria-disabled={isPending || undefined}
      {...props}
    >
      {isPending && <Spinner />}
      {children}
    </button>
  )
}
