#include "core/mailbox.h"

static void deliver_all(struct rg_mailbox *mailbox, bool closing)
{
	pthread_mutex_lock(&mailbox->lock);
	struct rg_message *message = mailbox->first;
	mailbox->first = NULL;
	mailbox->last = &mailbox->first;
	pthread_mutex_unlock(&mailbox->lock);
	while (message) {
		struct rg_message *next = message->next;
		message->deliver(message, mailbox->owner, closing);
		message = next;
	}
}

static void on_async(uv_async_t *async)
{
	deliver_all(async->data, false);
}

int mailbox_init(struct rg_mailbox *mailbox, uv_loop_t *loop, void *owner)
{
	*mailbox = (struct rg_mailbox){.owner = owner};
	mailbox->last = &mailbox->first;
	pthread_mutex_init(&mailbox->lock, NULL);
	mailbox->async.data = mailbox;
	return uv_async_init(loop, &mailbox->async, on_async);
}

void mailbox_post(struct rg_mailbox *mailbox, struct rg_message *message)
{
	message->next = NULL;
	pthread_mutex_lock(&mailbox->lock);
	bool closed = mailbox->closed;
	if (!closed) {
		*mailbox->last = message;
		mailbox->last = &message->next;
		/* Under the lock: close cannot free the handle between the test and the send. */
		uv_async_send(&mailbox->async);
	}
	pthread_mutex_unlock(&mailbox->lock);
	if (closed)
		message->deliver(message, mailbox->owner, true);
}

void mailbox_close(struct rg_mailbox *mailbox)
{
	pthread_mutex_lock(&mailbox->lock);
	mailbox->closed = true;
	pthread_mutex_unlock(&mailbox->lock);
	deliver_all(mailbox, true);
	uv_close((uv_handle_t *)&mailbox->async, NULL);
}

void mailbox_destroy(struct rg_mailbox *mailbox)
{
	pthread_mutex_destroy(&mailbox->lock);
}
