/**
 * Schemas of values in request bodies: a string that is the value, or base64 of a value that need not be UTF-8. Decodes the
 * SecretBytes of a body in place; the caller zeroes them.
 */
import * as z from 'zod';
import { decodeBase64 } from '../json/base64.ts';
import type { SecretBytes } from '../json/secret-bytes.ts';
import { mustBe, reportProblem } from './members.ts';

const BASE64 = Buffer.from('base64');

/** A non-empty string, as bytes. */
export const secretSchema = z
  .custom<SecretBytes>((input) => input instanceof Uint8Array && input.length > 0, {
    error: mustBe('a non-empty string'),
  })
  .meta({ type: 'string', minLength: 1 });

/** Says that `value` is base64. It arrives as bytes, like every member that could be a secret. */
export const encodingSchema = z
  .custom<SecretBytes>((input) => input instanceof Uint8Array && BASE64.equals(input), {
    error: mustBe('"base64"'),
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

/** For `transform`: decodes the `value` of a checked object if it has an `encoding`. */
export function decodeValue<Request extends Encoded>(
  request: Request,
  context: z.RefinementCtx,
): Omit<Request, 'encoding'> {
  const { encoding: given, ...rest } = request;
  if (given === undefined) return rest;
  given.fill(0);
  if (rest.value === undefined) {
    reportProblem(context, '"encoding" needs "value" beside it');
    return z.NEVER;
  }
  const value = decodeBase64(rest.value);
  if (value !== null) return { ...rest, value };
  reportProblem(context, 'must be base64 with its padding (RFC 4648 section 4)', ['value']);
  return z.NEVER;
}

const encodedValueSchema = z
  .strictObject({ value: secretSchema, encoding: encodingSchema })
  .transform(decodeValue);

/** A field's value: a string, or an object of `value` and `encoding`. Not z.union, whose issues name no member. */
export const fieldValueSchema = z
  .unknown()
  .transform((input, context): SecretBytes => {
    const result = isObject(input) ? encodedValueSchema.safeParse(input) : secretSchema.safeParse(input);
    if (!result.success) {
      context.issues.push(...(result.error.issues as z.core.$ZodRawIssue[]));
      return z.NEVER;
    }
    return result.data instanceof Uint8Array ? result.data : result.data.value;
  })
  .meta({ anyOf: [secretSchema, encodedValueSchema].map(toJsonSchema) });

function isObject(input: unknown): boolean {
  return (
    typeof input === 'object' && input !== null && !Array.isArray(input) && !(input instanceof Uint8Array)
  );
}

/** Returns the JSON Schema of a request. SecretBytes and RawMetadata are custom types: their meta() says what they are in JSON. */
export function toJsonSchema(schema: z.ZodType): z.core.JSONSchema.BaseSchema {
  const { $schema, ...rest } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  return rest;
}
