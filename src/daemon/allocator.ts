/**
 * What the daemon's environment must have when it starts, so that glibc overwrites memory when it is freed
 * (mallopt(3), M_PERTURB). Node frees plaintext that JavaScript never sees: the output of a cipher is made in a block
 * one byte too large and copied. Without its cache for each thread, which is handed blocks without looking at them, glibc
 * overwrites all but the last eight bytes of each. The 255 is what freed memory then holds; new memory has its complement, zeros.
 * A program with another C library is not changed by this.
 *
 * The last has large bodies lie in mappings of their own, which the kernel takes back when they are freed. By itself glibc
 * would soon keep blocks of up to 32 MiB for later (mallopt(3), M_MMAP_THRESHOLD).
 */
export const ALLOCATOR_SETTINGS: Readonly<NodeJS.ProcessEnv> = {
  GLIBC_TUNABLES: [
    'glibc.malloc.perturb=255',
    'glibc.malloc.tcache_count=0',
    'glibc.malloc.mmap_threshold=262144',
  ].join(':'),
};
