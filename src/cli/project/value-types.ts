/** What the value of a variable must look like, by the `type` that a project's file gives it. */

const PLAIN: Readonly<Record<string, { readonly fits: (text: string) => boolean; readonly what: string }>> = {
  url: { fits: (text) => URL.canParse(text) && /^[a-z][a-z0-9+.-]*:/i.test(text), what: 'a URL' },
  int: { fits: (text) => /^-?\d+$/.test(text), what: 'a whole number' },
  port: { fits: isPort, what: 'a port, from 1 to 65535' },
  bool: { fits: (text) => /^(true|false|1|0|yes|no|on|off)$/i.test(text), what: 'true or false' },
  json: { fits: isJson, what: 'JSON' },
};

const REGEX = 'regex:';

export function describeTypes(): string {
  return `${Object.keys(PLAIN).join(', ')}, or ${REGEX}PATTERN`;
}

export function isValueType(type: string): boolean {
  return type.startsWith(REGEX) ? compile(type) !== null : Object.hasOwn(PLAIN, type);
}

/** Returns the end of a sentence that says what the value is not; null if it fits. The sentence has nothing of the value. */
export function findMisfit(type: string, text: string): string | null {
  if (type.startsWith(REGEX))
    return compile(type)?.test(text) === true ? null : `does not match ${type.slice(REGEX.length)}`;
  const plain = PLAIN[type];
  return plain === undefined || plain.fits(text) ? null : `is not ${plain.what}`;
}

function compile(type: string): RegExp | null {
  try {
    return new RegExp(type.slice(REGEX.length), 'u');
  } catch {
    return null;
  }
}

function isPort(text: string): boolean {
  return /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
