dist_bin_SCRIPTS = certs/roamgate-certs
EXTRA_DIST += certs/README.md
