// SPDX-License-Identifier: Apache-2.0
// saboteur: a library for LD_PRELOAD that lets things go wrong at a chosen moment. test_failures.c builds it.
//
//     SABOTAGE=malloc:N     the N-th request for memory fails, and all behind it
//     SABOTAGE=once:N       the N-th alone
//     SABOTAGE=kill:N       SIGKILL in front of the N-th change of the file system
//     SABOTAGE=exchange:1   the file system cannot exchange two names
//     SABOTAGE=count:1      nothing; both counts go to stderr at the end
//
// Counting begins when the program tells jansson where memory comes from, which is the first thing that it does: what
// the loader and the libraries do in front of main is not ours.
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

extern void *__libc_malloc(size_t n);
extern void *__libc_calloc(size_t count, size_t n);
extern void *__libc_realloc(void *p, size_t n);

static bool armed;
static char what[16];
static long at, requests, changes;

static void report(void)
{
    armed = false;
    fprintf(stderr, "requests %ld changes %ld\n", requests, changes);
}

void json_set_alloc_funcs(void *(*take)(size_t), void (*leave)(void *));
void json_set_alloc_funcs(void *(*take)(size_t), void (*leave)(void *))
{
    void (*real)(void *(*)(size_t), void (*)(void *)) = 0;
    *(void **)&real = dlsym(RTLD_NEXT, "json_set_alloc_funcs");
    real(take, leave);
    const char *s = getenv("SABOTAGE");
    if (!s || sscanf(s, "%15[a-z]:%ld", what, &at) != 2)
        return;
    if (strcmp(what, "count") == 0)
        atexit(report);
    armed = true;
}

static bool refuse(void)
{
    long n = armed ? __atomic_add_fetch(&requests, 1, __ATOMIC_RELAXED) : 0;
    return n > 0 && ((n >= at && strcmp(what, "malloc") == 0) || (n == at && strcmp(what, "once") == 0));
}

static void change(void)
{
    if (armed && ++changes == at && strcmp(what, "kill") == 0)
        raise(SIGKILL);
}

static void *none(void)
{
    errno = ENOMEM;
    return NULL;
}

void *malloc(size_t n)
{
    return refuse() ? none() : __libc_malloc(n);
}

void *calloc(size_t count, size_t n)
{
    return refuse() ? none() : __libc_calloc(count, n);
}

void *realloc(void *p, size_t n)
{
    return refuse() ? none() : __libc_realloc(p, n);
}

// The real function behind a change.
#define REAL(name, result, parameters)                                                             \
    static result(*name##_real) parameters;                                                        \
    change();                                                                                      \
    if (!name##_real)                                                                              \
    *(void **)&name##_real = dlsym(RTLD_NEXT, #name)

FILE *fopen(const char *path, const char *mode)
{
    REAL(fopen, FILE *, (const char *, const char *));
    return fopen_real(path, mode);
}

int fclose(FILE *f)
{
    REAL(fclose, int, (FILE *));
    return fclose_real(f);
}

int mkdir(const char *path, mode_t mode)
{
    REAL(mkdir, int, (const char *, mode_t));
    return mkdir_real(path, mode);
}

char *mkdtemp(char *pattern)
{
    REAL(mkdtemp, char *, (char *));
    return mkdtemp_real(pattern);
}

int remove(const char *path)
{
    REAL(remove, int, (const char *));
    return remove_real(path);
}

int rename(const char *from, const char *to)
{
    REAL(rename, int, (const char *, const char *));
    return rename_real(from, to);
}

int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
    REAL(renameat2, int, (int, const char *, int, const char *, unsigned));
    if (armed && strcmp(what, "exchange") == 0) {
        errno = EINVAL;
        return -1;
    }
    return renameat2_real(from_dir, from, to_dir, to, flags);
}
