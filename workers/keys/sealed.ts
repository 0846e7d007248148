/** Why a vault cannot be used at the moment, in words for the user. Holds no secret. */

/** The vault is sealed; `message` says why and ends with what to do. Nothing was changed. */
export class SealedError extends Error {}
