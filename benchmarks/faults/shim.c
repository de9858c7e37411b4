/* Stands before the C library: files below a folder pause or fail, and the clock jumps, as a page in memory says. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { NOTHING, PAUSE, FAIL, READ_ONLY };

struct page {
    volatile double jump;   /* seconds that are added to the clock */
    volatile int mode;      /* what happens to files below the folder */
    volatile int error;     /* the errno of FAIL */
    volatile int percent;   /* of 100 calls, how many fail */
    volatile int calls;     /* how many were disturbed */
    char folder[480];
};

static struct page *page;
static unsigned char ours[65536]; /* descriptors of files below the folder */
static __thread unsigned int state = 2463534242u;

/* Called by the process that is to be disturbed. */
int fault_page(const char *path) {
    int file = open(path, O_RDWR);
    if (file < 0) return -1;
    void *made = mmap(NULL, sizeof(struct page), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (made == MAP_FAILED) return -1;
    page = made;
    return 0;
}

static int lies_below(const char *path) {
    size_t size = strlen(page->folder);
    return size && !strncmp(path, page->folder, size) && (path[size] == '/' || !path[size]);
}

static int below(const char *path) {
    return page && path && page->mode && lies_below(path);
}

/* Whether this call fails; errno is set then. */
static int disturbed(int writes) {
    if (page->mode == PAUSE) {
        page->calls++;
        while (page->mode == PAUSE) usleep(2000);
        return 0;
    }
    if (page->mode == READ_ONLY) {
        if (!writes) return 0;
        page->calls++;
        errno = EROFS;
        return 1;
    }
    if (page->mode == FAIL) {
        state ^= state << 13, state ^= state >> 17, state ^= state << 5;
        if ((int)(state % 100) >= page->percent) return 0;
        page->calls++;
        errno = page->error;
        return 1;
    }
    return 0;
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int kept(int file, const char *path) {
    if (file >= 0 && file < (int)sizeof ours) ours[file] = page && path && lies_below(path);
    return file;
}

#define MODE(flags) mode_t mode = 0; if ((flags) & (O_CREAT | O_TMPFILE)) { va_list more; va_start(more, flags); mode = va_arg(more, mode_t); va_end(more); }
#define WRITES(flags) (((flags) & (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC)) != 0)

int open(const char *path, int flags, ...) { MODE(flags) if (below(path) && disturbed(WRITES(flags))) return -1; return kept(NEXT(open)(path, flags, mode), path); }
int open64(const char *path, int flags, ...) { MODE(flags) if (below(path) && disturbed(WRITES(flags))) return -1; return kept(NEXT(open64)(path, flags, mode), path); }
int openat(int at, const char *path, int flags, ...) { MODE(flags) if (below(path) && disturbed(WRITES(flags))) return -1; return kept(NEXT(openat)(at, path, flags, mode), path); }
int openat64(int at, const char *path, int flags, ...) { MODE(flags) if (below(path) && disturbed(WRITES(flags))) return -1; return kept(NEXT(openat64)(at, path, flags, mode), path); }
FILE *fopen(const char *path, const char *how) { if (below(path) && disturbed(strpbrk(how, "wa+") != NULL)) return NULL; return NEXT(fopen)(path, how); }
FILE *fopen64(const char *path, const char *how) { if (below(path) && disturbed(strpbrk(how, "wa+") != NULL)) return NULL; return NEXT(fopen64)(path, how); }
int close(int file) { if (file >= 0 && file < (int)sizeof ours) ours[file] = 0; return NEXT(close)(file); }

ssize_t read(int file, void *data, size_t size) {
    if (file >= 0 && file < (int)sizeof ours && ours[file] && page && page->mode && disturbed(0)) return -1;
    return NEXT(read)(file, data, size);
}

int stat(const char *path, struct stat *made) { if (below(path) && disturbed(0)) return -1; return NEXT(stat)(path, made); }
int lstat(const char *path, struct stat *made) { if (below(path) && disturbed(0)) return -1; return NEXT(lstat)(path, made); }
int stat64(const char *path, struct stat64 *made) { if (below(path) && disturbed(0)) return -1; return NEXT(stat64)(path, made); }
int lstat64(const char *path, struct stat64 *made) { if (below(path) && disturbed(0)) return -1; return NEXT(lstat64)(path, made); }
int fstatat64(int at, const char *path, struct stat64 *made, int flags) { if (below(path) && disturbed(0)) return -1; return NEXT(fstatat64)(at, path, made, flags); }
int mkdir(const char *path, mode_t mode) { if (below(path) && disturbed(1)) return -1; return NEXT(mkdir)(path, mode); }
int rename(const char *from, const char *to) { if ((below(from) || below(to)) && disturbed(1)) return -1; return NEXT(rename)(from, to); }
int unlink(const char *path) { if (below(path) && disturbed(1)) return -1; return NEXT(unlink)(path); }

int clock_gettime(clockid_t clock, struct timespec *made) {
    int status = NEXT(clock_gettime)(clock, made);
    if (!status && page && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) made->tv_sec += (time_t)page->jump;
    return status;
}

int gettimeofday(struct timeval *restrict made, void *restrict zone) {
    int status = NEXT(gettimeofday)(made, zone);
    if (!status && page) made->tv_sec += (time_t)page->jump;
    return status;
}

time_t time(time_t *made) {
    time_t now = NEXT(time)(NULL) + (page ? (time_t)page->jump : 0);
    if (made) *made = now;
    return now;
}
