/* What every test of this folder includes. */
#ifndef TESTS_DIRECTORY_SUPPORT_H
#define TESTS_DIRECTORY_SUPPORT_H
/* cmocka.h wants these before it. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
/* clang-format on */
#endif
