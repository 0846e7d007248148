/**
 * Values in request bodies: a string that is the value itself, or base64 of one that need not be UTF-8.
 * Secrets it may hold: the SecretBytes of a body, which it decodes where they lie; the caller zeroes them.
 */
import * as z from 'zod';
import { decodeBase64 } from '../json/base64.ts';
import type { SecretBytes } from '../json/secret-bytes.ts';
import { must, report } from './members.ts';

const BASE64 = Buffer.from('base64');

/** A non-empty string, as bytes. */
export const secret = z
  .custom<SecretBytes>((input) => input instanceof Uint8Array && input.length > 0, {
    error: must('a non-empty string'),
  })
  .meta({ type: 'string', minLength: 1 });

/** How `value` is written, where it is not the value itself. It comes as bytes, as every member beside a value does. */
export const encoding = z
  .custom<SecretBytes>((input) => input instanceof Uint8Array && BASE64.equals(input), {
    error: must('"base64"'),
  })
  .meta({
    type: 'string',
    const: 'base64',
    description: 'Then `value` is base64 of it (RFC 4648 section 4)',
  });

interface Encoded {
  readonly value?: SecretBytes;
  readonly encoding?: SecretBytes;
}

/** Of a checked object with `value` and perhaps `encoding` makes one with the decoded value: for `transform`. */
export function decodeValue<Request extends Encoded>(
  request: Request,
  context: z.RefinementCtx,
): Omit<Request, 'encoding'> {
  const { encoding: given, ...rest } = request;
  if (given === undefined) return rest;
  given.fill(0);
  if (rest.value === undefined) {
    report(context, '"encoding" needs "value" beside it');
    return z.NEVER;
  }
  const value = decodeBase64(rest.value);
  if (value !== null) return { ...rest, value };
  report(context, 'must be base64 with its padding (RFC 4648 section 4)', ['value']);
  return z.NEVER;
}

const encodedValue = z.strictObject({ value: secret, encoding }).transform(decodeValue);

/** A field's value: a string, or an object of `value` and `encoding`. By hand, as z.union would name no member. */
export const fieldValue = z
  .unknown()
  .transform((input, context): SecretBytes => {
    const result = isObject(input) ? encodedValue.safeParse(input) : secret.safeParse(input);
    if (!result.success) {
      context.issues.push(...(result.error.issues as z.core.$ZodRawIssue[]));
      return z.NEVER;
    }
    return result.data instanceof Uint8Array ? result.data : result.data.value;
  })
  .meta({ anyOf: [secret, encodedValue].map(toJsonSchema) });

function isObject(input: unknown): boolean {
  return (
    typeof input === 'object' && input !== null && !Array.isArray(input) && !(input instanceof Uint8Array)
  );
}

/** SecretBytes and RawMetadata are custom types here; on the wire they are what their meta() says. */
export function toJsonSchema(schema: z.ZodType): z.core.JSONSchema.BaseSchema {
  const { $schema, ...rest } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  return rest;
}
