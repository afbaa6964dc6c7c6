// What can go wrong: one error for each status that a caller tells apart.

/** What the server said: `status` is HTTP's, 0 without an answer; `retryAfter` is in seconds. */
export interface Refusal {
  status: number
  message: string
  errors: string[]
  requestId: string
  retryAfter: number
}

/** The server did not do what it was asked; `errors` are its sentences, `requestId` finds the request in its log. */
export class ApiError extends Error {
  readonly status: number
  readonly errors: string[]
  readonly requestId: string
  readonly retryAfter: number

  constructor(refusal: Refusal) {
    super(refusal.message)
    this.name = new.target.name
    this.status = refusal.status
    this.errors = refusal.errors
    this.requestId = refusal.requestId
    this.retryAfter = refusal.retryAfter
  }
}

/** 401: no token, or a wrong, expired or revoked one. */
export class UnauthenticatedError extends ApiError {}
/** 403: the permission is missing. */
export class ForbiddenError extends ApiError {}
/** 404: there is no such thing, or it is not yours to see. */
export class NotFoundError extends ApiError {}
/** 409: in conflict with the present state. */
export class ConflictError extends ApiError {}
/** 422: a field is wrong. */
export class InvalidError extends ApiError {}
/** 429: too fast. */
export class RateLimitedError extends ApiError {}
/** 503: overloaded or stopping. */
export class UnavailableError extends ApiError {}
/** No answer came. */
export class UnreachableError extends ApiError {}
/** What came is not what was promised; whether the message was taken is not known. */
export class AnswerError extends ApiError {
  constructor(message: string) {
    super({ status: 200, message, errors: [], requestId: "", retryAfter: 0 })
  }
}

const KINDS: Record<number, typeof ApiError> = {
  0: UnreachableError,
  401: UnauthenticatedError,
  403: ForbiddenError,
  404: NotFoundError,
  409: ConflictError,
  422: InvalidError,
  429: RateLimitedError,
  503: UnavailableError,
}

/** Returns the error that a refusal stands for. */
export function errorOf(refusal: Refusal): ApiError {
  return new (KINDS[refusal.status] ?? ApiError)(refusal)
}
