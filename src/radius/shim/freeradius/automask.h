/* The last thing that FreeRADIUS's autoconf.h includes, and Debian does not ship it. It takes back the
 * regular expressions: regex.h would want pcre.h, and nothing here uses what it declares. */
#undef HAVE_PCRE
#undef HAVE_REGEX
#undef HAVE_BINSAFE_REGEX
