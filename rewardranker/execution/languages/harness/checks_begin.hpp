// System calls of our own: a function of the program may be called "write" or "read".
#if defined(__x86_64__)
static inline long call_NONCE(long number, long fd, long data, long length) {
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(fd), "S"(data), "d"(length) : "rcx", "r11", "memory");
    return result;
}
static inline long write_NONCE(int fd, const void* data, unsigned long length) {
    return call_NONCE(1, fd, (long)data, (long)length);
}
static inline long read_NONCE(int fd, void* data, unsigned long length) {
    return call_NONCE(0, fd, (long)data, (long)length);
}
#elif defined(__aarch64__)
static inline long call_NONCE(long number, long fd, long data, long length) {
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = fd;
    register long x1 __asm__("x1") = data;
    register long x2 __asm__("x2") = length;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
    return x0;
}
static inline long write_NONCE(int fd, const void* data, unsigned long length) {
    return call_NONCE(64, fd, (long)data, (long)length);
}
static inline long read_NONCE(int fd, void* data, unsigned long length) {
    return call_NONCE(63, fd, (long)data, (long)length);
}
#else
extern "C" long write_NONCE(int, const void*, unsigned long) __asm__("write");
extern "C" long read_NONCE(int, void*, unsigned long) __asm__("read");
#endif
__attribute__((constructor(101))) static void begin_NONCE() {
    static const char line[] = "[\"NONCE\",0,\"begun\"]\n";
    write_NONCE(3, line, sizeof(line) - 1);
}
#define main main_NONCE
