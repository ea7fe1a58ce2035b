/* The parts of one LDAP directory.
 *
 * One thread, the directory's own, holds the questions and all connections; it never waits for a
 * server, since sockets do not block. What may wait (resolving, TLS) is a job: a thread for that
 * one attempt, which hands its connection over and ends. So a question is answered at its
 * deadline whatever a server does. */
#ifndef DIR_LDAP_DIRECTORY_H
#define DIR_LDAP_DIRECTORY_H
#include <pthread.h>
#include <sys/queue.h>

#include "connect.h"
#include "core/log.h"
#include "directory/group.h"
#include "directory/mapping.h"
#include "directory/nt_hash.h"
#include "server.h"

#define PIPELINE_MOST 64u /* questions at once on one connection */
#define PIPELINE_BUSY 8u  /* from so many on another connection is worth while */
#define TRIES_MOST    4u  /* connections that one question may see die */

struct rg_ldap_directory;
struct link;

/* A question on its way. */
struct task {
	TAILQ_ENTRY(task) by_deadline; /* all of them, earliest first */
	TAILQ_ENTRY(task) in_turn;     /* those that wait for a connection or for a bind */
	enum task_stage {
		TASK_WAITING,   /* for a connection */
		TASK_SEARCHING, /* for its entry, and mostly whether that is disabled */
		TASK_JUDGING,   /* the entry is found: groups, disabled */
		TASK_BIND_WAITING,
		TASK_BINDING,
	} stage;
	struct rg_question *question;
	struct rg_group_match match;
	struct link *link;              /* SEARCHING, JUDGING, BINDING */
	struct rg_server *server;       /* that was asked last, or will be asked for the bind */
	unsigned tries, open_searches;
	size_t bind_servers; /* that have had the bind and did not answer it */
	unsigned entries;
	char *dn;
	bool disabled_asked, disabled, has_certificate, same_certificate;
	bool has_nt_hash, locked;
	bool unread; /* for want of memory not all of an entry was read: what it holds is not known
		      */
	uint8_t nt_hash[RG_NT_HASH];
	struct rg_mapping *mapping; /* of the question's certificate, where it counts; or NULL */
	struct rg_sid sid;          /* of the entry, for its primary group */
	uint32_t primary;           /* primaryGroupID; 0: none */
};

TAILQ_HEAD(task_list, task);

enum search_kind {
	SEARCH_PERSON,
	SEARCH_DISABLED, /* is it one that `disabled` matches? */
	SEARCH_GROUPS,   /* which groups match groups.filter? */
	SEARCH_NESTED,   /* is the entry, through other groups, in that group? */
	SEARCH_PRIMARY,  /* which group is the primary one? */
};

/* A search that a server has not finished answering. */
struct search {
	TAILQ_ENTRY(search) next; /* of its link, oldest first */
	int id;
	enum search_kind kind;
	size_t group;      /* NESTED: which */
	uint64_t due_ns;   /* unanswered by then: the server hangs */
	struct task *task; /* NULL: nobody waits for it any more */
};

enum link_state {
	LINK_EMPTY,
	LINK_CONNECTING,
	LINK_UP,
	LINK_DRAINING, /* finishes what it has: a server that comes before is back */
};

struct link {
	enum link_state state;
	struct rg_server *server;
	struct job *job; /* CONNECTING */
	LDAP *handle;
	Sockbuf *sockbuf; /* handle's */
	struct rg_gather *gather; /* requests that wait for link_flush; NULL for_people */
	int fd;
	bool in_chain;
	bool writing; /* its socket takes no more for now: nothing else can be sent */
	bool broken;  /* found so while sending; the loop closes it */
	unsigned tasks;
	uint64_t up_ns;
	TAILQ_HEAD(search_list, search) searches;
	/* A connection that people are bound on, one at a time, and that is never searched on. */
	bool for_people;
	bool binding;
	bool bound_before;
	int bind_id;
	uint64_t bind_due_ns; /* unanswered by then: the bind hangs */
	struct task *bound;   /* whose bind it is; NULL: nobody waits for it any more */
};

/* One attempt to connect. */
struct job {
	TAILQ_ENTRY(job) next; /* of those under way; then of those finished */
	pthread_t thread;
	struct rg_ldap_directory *directory;
	struct rg_server *server;
	struct rg_connect connect;
	enum rg_connected result;
	uint64_t late_ns; /* under way still by then: it is cut, and not counted on */
	bool late;
	int fd;            /* of its socket, once connected; under the directory's lock */
	struct link *link; /* for which */
};

TAILQ_HEAD(job_list, job);

struct rg_ldap_directory {
	const struct rg_ldap_settings *settings;
	char *name;
	struct rg_nt_digests *digests; /* NULL: no nt_hash_attribute, or not made so far */
	pthread_t thread;
	int wake; /* eventfd */
	atomic_bool closing;

	pthread_mutex_t lock; /* over what follows, up to the blank line */
	struct task_list inbox;
	size_t open_tasks;
	struct job_list jobs, finished;
	struct rg_server *servers; /* state, why and since; the rest is the thread's */

	/* The thread's alone. */
	struct task_list tasks, waiting, bind_waiting;
	/* settings->connections, and one to return to an earlier server with; then another
	 * settings->connections for people. */
	struct link *links;
	size_t link_count, search_links;
	struct rg_log_limit bind_log;
	char *nested_filter; /* groups.filter through the in-chain rule */
	char filter[65536];  /* RG_FILTER_MOST */
};

/* plan.c: which connections there are, and which question goes to which. */
/* Takes over what the jobs made. */
void plan_adopt(struct rg_ldap_directory *, uint64_t now);
/* Ends what took too long: questions, searches, attempts. */
void plan_expire(struct rg_ldap_directory *, uint64_t now);
/* Starts attempts and searches. */
void plan_next(struct rg_ldap_directory *, uint64_t now);
/* The connection is gone. */
void plan_lost(struct rg_ldap_directory *, struct link *, uint64_t now);
/* When the next of all this is due; UINT64_MAX: never. */
uint64_t plan_due(struct rg_ldap_directory *);

/* bind.c: passwords, each tried by a bind as the person (RFC 4513 §5.1.3). */
/* The task waits for a connection to bind on. */
void bind_wait(struct rg_ldap_directory *, struct task *);
void bind_adopt(struct rg_ldap_directory *, struct job *, uint64_t now);
/* Ends binds that took too long. */
void bind_expire(struct rg_ldap_directory *, uint64_t now);
/* No connection to bind on came in time. */
void bind_late(struct rg_ldap_directory *, struct rg_server *, uint64_t now);
/* Starts binds, and connections for those that wait. */
void bind_next(struct rg_ldap_directory *, uint64_t now);
/* Something has come on a connection for people, or it has been closed. */
void bind_receive(struct rg_ldap_directory *, struct link *, uint64_t now);
uint64_t bind_due(const struct rg_ldap_directory *);

/* job.c */
/* False: no thread or memory. */
bool job_connect(struct rg_ldap_directory *, struct link *, struct rg_server *, uint64_t now);
void job_cut(struct job *);   /* its server has had its time; the directory's lock is held */
void job_free(struct job **); /* of one whose thread has ended */

/* link.c */
void link_open(struct link *, struct job *, uint64_t now); /* takes over its handle */
/* Its questions wait again; nothing is said of the server. */
void link_close(struct rg_ldap_directory *, struct link *);
/* Reads and handles what has come. False: the connection is gone. */
bool link_receive(struct rg_ldap_directory *, struct link *);
/* An LDAP result code; where it is not SUCCESS nothing is on its way, and link->writing and
 * link->broken say whether another try makes sense. */
int link_search(struct rg_ldap_directory *, struct link *, struct search *, const char *base,
		int scope, const char *filter, char **attributes, int size_most);
/* What link_search and libldap have kept leaves. */
void link_flush(struct link *);
/* What was unsent has gone as far as the socket took it; where that takes more, nothing is left. */
bool link_still_writing(const struct link *);
/* Of a task that ends or starts anew: answers to its searches are ignored. */
void link_forget(struct task *);

/* entry.c */
void entry_read_person(struct rg_ldap_directory *, struct task *, LDAPMessage *);
/* The person is a member of it. Its name, to be freed; NULL: no memory, and the task is `unread`. */
char *entry_read_group(struct rg_ldap_directory *, struct task *, LDAPMessage *);

/* task.c */
struct task *task_new(struct rg_question *); /* NULL: no memory */
void task_start(struct rg_ldap_directory *, struct task *, struct link *);
void task_again(struct rg_ldap_directory *,
		struct task *); /* its connection is gone: it waits anew */
void task_entry(struct rg_ldap_directory *, struct search *, LDAPMessage *);
void task_searched(struct rg_ldap_directory *, struct search *, int code, const char *text);
void task_answer(struct rg_ldap_directory *, struct task *, enum rg_outcome, const char *format,
		 ...) __attribute__((format(printf, 4, 5)));
#endif
