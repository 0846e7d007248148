/** 4 MiB: an answer that has grown beyond this takes no further entry, as its bytes lie in memory whole. */
export const MAX_ANSWER_SIZE = 4 * 1_048_576;
