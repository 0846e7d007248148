/**
 * What the daemon's environment must have when it starts, so that glibc overwrites memory when it is freed.
 *
 * `perturb` (mallopt(3), M_PERTURB): V8 frees plaintext that no code of ours sees. When it gives up optimized code, it saves
 * the vector registers in a block of memory, and a cipher or a copy may have left 16 bytes of a value in one of them. Without
 * this, most scans of test/hard/memory.ts find such bytes. Freed memory then holds bytes of 255, and new memory their
 * complement, zeros. `tcache_count`: the cache of each thread takes blocks without overwriting them, V8's among them; without
 * it, glibc overwrites all but the last eight bytes of each block. `mmap_threshold`: large bodies lie in mappings of their own,
 * which the kernel takes back when they are freed; by itself glibc would soon keep blocks of up to 32 MiB (M_MMAP_THRESHOLD).
 *
 * Another C library ignores these settings.
 */
export const ALLOCATOR_SETTINGS: Readonly<NodeJS.ProcessEnv> = {
  GLIBC_TUNABLES: [
    'glibc.malloc.perturb=255',
    'glibc.malloc.tcache_count=0',
    'glibc.malloc.mmap_threshold=262144',
  ].join(':'),
};
