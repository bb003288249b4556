/* SPDX-License-Identifier: MIT
 * own_malloc: HAS_OWN_MALLOC where malloc is a sanitizer's, or not glibc's, so that a test cannot
 * stand in front of it. */
#ifndef TESTS_SUPPORT_OWN_MALLOC_H
#define TESTS_SUPPORT_OWN_MALLOC_H

#include <stdlib.h> /* says whether it is glibc */

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define HAS_OWN_MALLOC
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__GLIBC__)
#define HAS_OWN_MALLOC
#endif

#endif
