# The simulation: the gateway's own objects, with the kernel, libuv, the clock and chance replaced by the linker.
if HAVE_CMOCKA
noinst_PROGRAMS += tests/sim/sim
tests_sim_sim_SOURCES = tests/sim/chance.h tests/sim/sim.h tests/sim/clock.c tests/sim/directory.c tests/sim/event.c \
	tests/sim/exchange.c tests/sim/inside.c tests/sim/laptop.c tests/sim/loop.c tests/sim/memory.c tests/sim/nas.c tests/sim/net.c \
	tests/sim/peers.c tests/sim/people.c tests/sim/plan.c tests/sim/radius.c tests/sim/sim.c tests/sim/socket.c \
	tests/sim/tls_laptop.c tests/sim/town.c tests/sim/toy.c
ldflags_sim = -Wl,--wrap=malloc -Wl,--wrap=calloc -Wl,--wrap=clock_gettime -Wl,--wrap=getrandom -Wl,--wrap=log_write -Wl,--wrap=log_limited \
	-Wl,--wrap=observe_signin -Wl,--wrap=slab_alloc -Wl,--wrap=slab_free -Wl,--wrap=socket -Wl,--wrap=bind \
	-Wl,--wrap=connect -Wl,--wrap=setsockopt -Wl,--wrap=getsockopt -Wl,--wrap=getsockname -Wl,--wrap=close \
	-Wl,--wrap=recvmmsg -Wl,--wrap=sendmmsg -Wl,--wrap=uv_loop_init -Wl,--wrap=uv_loop_close -Wl,--wrap=uv_run \
	-Wl,--wrap=uv_update_time -Wl,--wrap=uv_close -Wl,--wrap=uv_timer_init -Wl,--wrap=uv_timer_start \
	-Wl,--wrap=uv_prepare_init -Wl,--wrap=uv_prepare_start -Wl,--wrap=uv_poll_init -Wl,--wrap=uv_poll_start \
	-Wl,--wrap=uv_poll_stop -Wl,--wrap=uv_async_init -Wl,--wrap=uv_async_send
tests_sim_sim_LDFLAGS = $(ldflags_program) $(ldflags_sim)
tests_sim_sim_LDADD = tests/unit/eap/libtls.a $(libs_all)
tests_sim_sim_DEPENDENCIES = src/libroamgate.a tests/unit/eap/libtls.a
endif
EXTRA_DIST += tests/sim/README.md tests/sim/mutate tests/sim/mutations
